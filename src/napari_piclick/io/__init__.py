"""Files: volumes with their geometry in, label maps in the same geometry out."""
