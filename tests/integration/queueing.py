"""A stand-in for Kafka behind the resize function, and the worker that takes from it."""

from __future__ import annotations

import httpx

from functions.worker.handler import app as worker_app
from functions.worker.tasks import worker_of
from shared.messages.topics import REQUESTED
from tests.accounts import SignedIn
from tests.fakes.kafka import TestKafkaProducer

ASYNC = {"Prefer": "respond-async"}
ROUTE = "/file/resize"


class Queueing:
    """Sends pictures to be resized later, as someone who is signed in."""

    def __init__(self, client: httpx.AsyncClient, user: SignedIn, kafka: TestKafkaProducer) -> None:
        self.client = client
        self.user = user
        self.kafka = kafka
        self._worked_off = 0

    async def post(self, query: str, content: bytes, **headers: str) -> httpx.Response:
        sent = {**self.user.authorization, **ASYNC, **headers}
        return await self.client.post(f"{ROUTE}?{query}", content=content, headers=sent)

    async def post_json(self, query: str, body: object, **headers: str) -> httpx.Response:
        sent = {**self.user.authorization, **headers}
        return await self.client.post(f"{ROUTE}?{query}", json=body, headers=sent)

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path, headers=self.user.authorization)

    async def upload(self, content: bytes) -> str:
        wanted = {"content_type": "image/jpeg", "content_length": len(content)}
        ticket = await self.client.post("/file/upload", json=wanted, headers=self.user.authorization)
        assert ticket.status_code == 201, ticket.text
        async with httpx.AsyncClient() as storage:
            put = await storage.put(ticket.json()["url"], content=content, headers=ticket.json()["headers"])
        assert put.status_code == 200
        source: str = ticket.json()["source"]
        return source

    async def work_off(self) -> None:
        """Do what a worker would with the records that have been sent since."""
        async with worker_app.router.lifespan_context(worker_app):
            worker_app.state.kafka_producer = self.kafka.producer()
            worker = await worker_of(worker_app)
            for record in self.kafka.of(REQUESTED)[self._worked_off :]:
                await worker.process(record)
        self._worked_off = len(self.kafka.of(REQUESTED))
