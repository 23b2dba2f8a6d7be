"""Views of Evaluate for two classes alone."""
