"""The citizen front end and the officers' pages: no domain, no ballot data; pages > store > clients."""
