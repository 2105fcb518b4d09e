"""A study: what is asked, checked as a whole and expanded into runs."""
