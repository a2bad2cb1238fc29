"""Training of the published network, as its authors' released code does it."""
