"""The app: its screens, what happens when its terminal goes away, the app in a browser."""
