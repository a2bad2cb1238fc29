"""Synthetic pictures, which need no licence and never end."""
