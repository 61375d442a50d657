"""A client that nobody here wrote a library for: python3-grpcio and python3-protobuf as Debian ships them, and a descriptor set.

Usage: watch_tasks.py ADDRESS DESCRIPTOR_SET LABEL TASKS
Creates TASKS tasks with the label, watches them all to their ends over one stream that it leaves and resumes half-way, and prints one JSON object:
the ids, the tasks of the snapshot and, in the order in which they came, the events.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

address, descriptor_file, label, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
TERMINAL = {"COMPLETED", "FAILED", "CANCELLED"}

with open(descriptor_file, "rb") as file:
    descriptors = descriptor_pb2.FileDescriptorSet.FromString(file.read())
pool = descriptor_pool.DescriptorPool()
for each in descriptors.file:
    pool.Add(each)
factory = message_factory.MessageFactory(pool)


def message(name):
    return factory.GetPrototype(pool.FindMessageTypeByName(f"taskwire.v1.{name}"))


channel = grpc.insecure_channel(address)


def method(kind, name, request, response):
    return getattr(channel, kind)(
        f"/taskwire.v1.TaskService/{name}",
        request_serializer=lambda value: value.SerializeToString(),
        response_deserializer=message(response).FromString,
    )


create = method("unary_unary", "CreateTask", "CreateTaskRequest", "Task")
watch = method("unary_stream", "WatchTasks", "WatchTasksRequest", "WatchTasksResponse")

ids = []
for number in range(count):
    body = {"task": {"type": "flow.count", "payload": {"to": 2}, "labels": {"python": label}}}
    request = json_format.ParseDict(body, message("CreateTaskRequest")())
    ids.append(create(request, timeout=20).id)

snapshot, events, ended = [], [], set()
token, is_left = "", False
while len(ended) < count:
    start = {"resume_token": token} if token else {"from_snapshot": True}
    request = json_format.ParseDict({"filter": f'labels.python = "{label}"', **start}, message("WatchTasksRequest")())
    stream = watch(request, timeout=30)
    for frame in stream:
        token = frame.resume_token
        told = json_format.MessageToDict(frame, preserving_proto_field_name=True)
        for task in told.get("snapshot", []):
            snapshot.append(task["id"])
            if task["state"] in TERMINAL:
                ended.add(task["id"])
        for change in told.get("changes", []):
            event = change["event"]
            events.append({"revision": int(event["revision"]), "task_id": event["task_id"], "state": event["state"]})
            if event["state"] in TERMINAL:
                ended.add(event["task_id"])
        if len(ended) == count:
            break
        if len(ended) * 2 >= count and not is_left:
            is_left = True
            break
    stream.cancel()

print(json.dumps({"ids": ids, "snapshot": snapshot, "events": events, "is_left": is_left}))
