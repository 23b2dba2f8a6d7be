"""The tab of images with masks."""
