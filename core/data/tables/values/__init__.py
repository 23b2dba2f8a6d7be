"""Values of a column: numbers, dates and missing ones, as people write them."""
