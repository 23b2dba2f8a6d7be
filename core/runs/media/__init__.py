"""Images, short texts and histograms of a run: files in its folder, and an event for each."""
