"""usage: _v2_messages.py BROKER INPUT OUTPUT: sends MLServer what it takes and what it does not; prints the answers as JSON."""

import asyncio
import json
import sys

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

BROKER, INPUT, OUTPUT = sys.argv[1:]
REQUEST = json.dumps({"inputs": [{"name": "transaction", "datatype": "FP32", "shape": [1, 30], "data": [0.0] * 30}],
                      "outputs": [{"name": "score"}]}).encode()
MODEL = [("mlserver-model", b"fraud")]
MESSAGES = [
    ("csv", b"0,1,2", MODEL),
    ("no model", REQUEST, []),
    ("binary header", REQUEST, MODEL + [("sp-run", bytes(range(200, 216)))]),
    ("good", REQUEST, MODEL + [("trace", b"abc")]),
    (None, REQUEST, MODEL),
]


async def main():
    producer = AIOKafkaProducer(bootstrap_servers=BROKER)
    consumer = AIOKafkaConsumer(OUTPUT, bootstrap_servers=BROKER, auto_offset_reset="earliest")
    await producer.start()
    await consumer.start()
    try:
        for key, value, headers in MESSAGES:
            await producer.send_and_wait(INPUT, value, key=key and key.encode(), headers=headers, partition=0)
        answers = []
        async with asyncio.timeout(20):
            while len(answers) < 2:
                one = await consumer.getone()
                answers.append({"key": one.key.decode(), "headers": [name for name, _ in one.headers], "value": json.loads(one.value)})
        print(json.dumps(answers))
    finally:
        await producer.stop()
        await consumer.stop()


asyncio.run(main())
