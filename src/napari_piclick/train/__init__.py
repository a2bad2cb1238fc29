"""Training: Algorithm 1 of the paper, and the pictures it learns from."""
