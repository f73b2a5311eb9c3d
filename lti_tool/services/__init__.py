"""What the tool asks of a platform and tells it: rosters (NRPS), marks (AGS), under one access token."""
