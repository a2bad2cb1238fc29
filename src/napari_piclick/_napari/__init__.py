"""What the plugin does with napari: layers, views, and the work between them; no Qt."""
