"""What torchtui costs beside what others do, measured in turns in one process; see NOTES.md."""
