"""Folders of images: listed, decoded once, cached."""
