"""Places on the timeline as people name them: timecode, and bars and beats. Pure functions, exact at any length."""
