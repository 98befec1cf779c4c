"""Uvicorn servers on a free port of 127.0.0.1, which they write to a file. To be imported before
the server that uses them."""

import os

import uvicorn


def publish(port_file):
    """Every server of this process from now on; there should be one."""
    startup = uvicorn.Server.startup

    async def startup_and_tell(self, sockets=None):
        self.config.host, self.config.port = "127.0.0.1", 0
        await startup(self, sockets=sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        with open(port_file + ".new", "w") as file:
            print(port, file=file)
        os.rename(port_file + ".new", port_file)

    uvicorn.Server.startup = startup_and_tell
