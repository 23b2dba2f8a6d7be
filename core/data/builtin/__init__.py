"""Data sets that come with the product or are downloaded by it."""
