"""The networks (torch): they know tensors, and nothing of images, layers or windows."""
