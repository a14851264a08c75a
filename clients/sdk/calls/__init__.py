"""Every call that a client makes, as data: the request, and what to make of the answer.

Ids that make a call safe to repeat (request_id, grant_id) are drawn here when the caller gave none: once a call, so
that all its attempts carry the same one.
"""
