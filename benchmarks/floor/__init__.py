"""The least that a Python server which runs functions in processes of their own can cost."""
