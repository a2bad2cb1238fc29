"""Sources of real pictures: folders of images, and planes of volumes."""
