"""The handler that is measured: gives the event back. The second form is functions-framework's."""


def handler(event, _context):
    return event


def http(request):
    return request.get_json()
