"""Kinds of samples: what one is, and all that follows from it. Each has a module, `registry` lists them."""
