"""The weights at hand: which there are, where they lie, and how further ones are added."""
