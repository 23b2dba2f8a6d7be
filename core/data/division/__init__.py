"""Division of samples into splits where chance does not say it: by groups, by time, or as given."""
