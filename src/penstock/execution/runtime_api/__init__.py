"""The HTTP address of one environment: Runtime API, Extensions API, Telemetry API. Rule: knows the wire and its states,
never a process; what it hears it tells a listener.
"""
