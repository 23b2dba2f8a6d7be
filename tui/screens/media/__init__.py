"""Images, texts and histograms of a run, scrubbed by step; in Live and in Runs."""
