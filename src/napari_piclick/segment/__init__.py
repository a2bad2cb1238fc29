"""Segmentation without a window: images and clicks in, label maps in the same geometry out."""
