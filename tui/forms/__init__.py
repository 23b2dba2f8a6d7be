"""The form made from the schema, the search form, the preview, the equivalent command."""
