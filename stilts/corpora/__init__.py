"""Stewardship of data sets: fetching, checking, counting; `python -m stilts data`."""
