"""Search spaces and the methods that search them."""
