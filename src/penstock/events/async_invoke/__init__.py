"""The asynchronous road of Invoke: accept durably, deliver at least once, settle."""
