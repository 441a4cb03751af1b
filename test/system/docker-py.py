"""What docker-py does over one engine: DOCKER_HOST and an image name come from the environment. Prints "well" at the end."""
import io
import os
import socket
import tarfile
import threading

import docker

client = docker.from_env(timeout=20)
api = client.api
image = os.environ["IMAGE"]


def same(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


def everything(connection):
    """Reads a raw stream to its end."""
    raw = getattr(connection, "_sock", connection)
    parts = []
    while True:
        chunk = raw.recv(65536)
        if not chunk:
            return b"".join(parts)
        parts.append(chunk)


assert client.ping()
same(client.version()["Os"], "linux")
client.info()

# run: output, status, errors
same(client.containers.run(image, ["echo", "hi"], remove=True), b"hi\n")
try:
    client.containers.run(image, ["sh", "-c", "echo bad >&2; exit 3"], remove=True)
    raise AssertionError("no ContainerError")
except docker.errors.ContainerError as error:
    same((error.exit_status, error.stderr), (3, b"bad\n"))
try:
    client.containers.run("no-such-image:none", "true")
    raise AssertionError("no ImageNotFound")
except docker.errors.ImageNotFound:
    pass
except docker.errors.APIError as error:
    assert "no-such-image" in str(error) or "not available" in str(error), error

# attach before start, half-close, both streams framed
one = client.containers.create(image, ["sh", "-c", "cat; echo late; echo err >&2"], stdin_open=True)
api_one = api.attach_socket(one.id, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
one.start()
raw = getattr(api_one, "_sock", api_one)
raw.sendall(b"typed\n")
raw.shutdown(socket.SHUT_WR)
frames = everything(api_one)
output = {1: b"", 2: b""}
while frames:
    kind, size = frames[0], int.from_bytes(frames[4:8], "big")
    output[kind] += frames[8 : 8 + size]
    frames = frames[8 + size :]
# Docker's own engine ends this attachment at the end of the input unless StdinOnce was asked for.
same(output[1][:6], b"typed\n")
one.remove(force=True)

# with StdinOnce the end of the input is the program's, and everything comes back
two = api.create_container(image, ["sh", "-c", "cat; echo late; echo err >&2; exit 9"], stdin_open=True)
same(api.inspect_container(two["Id"])["Config"]["OpenStdin"], True)
stream = api.attach(two["Id"], stdout=True, stderr=True, stream=True, demux=True)
sink = api.attach_socket(two["Id"], {"stdin": 1, "stream": 1})
api.start(two["Id"])
raw = getattr(sink, "_sock", sink)
raw.sendall(b"over\n")
raw.shutdown(socket.SHUT_WR)
both = list(stream)
same(b"".join(out for out, _ in both if out), b"over\nlate\n")
same(b"".join(err for _, err in both if err), b"err\n")
same(api.wait(two["Id"])["StatusCode"], 9)
api.remove_container(two["Id"])

# a terminal: raw, unframed
three = client.containers.create(image, ["sh", "-c", "read x; echo got $x; stty size"], tty=True, stdin_open=True)
terminal = three.attach_socket(params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
three.start()
three.resize(33, 101)
getattr(terminal, "_sock", terminal).sendall(b"word\n")
shown = everything(terminal)
assert b"got word\r\n33 101\r\n" in shown, shown
three.remove(force=True)

# exec: framed, demultiplexed, with a terminal, as a socket, detached
box = client.containers.run(image, ["sleep", "600"], detach=True, name="box")
same(box.exec_run(["sh", "-c", "echo out; echo err >&2; exit 4"], demux=True), (4, (b"out\n", b"err\n")))
same(box.exec_run(["sh", "-c", "echo out"], tty=True), (0, b"out\r\n"))
same(box.exec_run(["sh", "-c", "echo $A; pwd; id -u"], environment={"A": "b"}, workdir="/etc", user="5").output, b"b\n/etc\n5\n")
same(b"".join(box.exec_run(["seq", "1", "5"], stream=True).output), b"1\n2\n3\n4\n5\n")
run = api.exec_create(box.id, ["sh", "-c", "cat; exit 6"], stdin=True)
connection = api.exec_start(run["Id"], socket=True)
raw = getattr(connection, "_sock", connection)
raw.sendall(b"x" * 100000)
raw.shutdown(socket.SHUT_WR)
got = everything(connection)
total = 0
while got:
    size = int.from_bytes(got[4:8], "big")
    total += size
    got = got[8 + size :]
same(total, 100000)
same(api.exec_inspect(run["Id"])["ExitCode"], 6)
box.exec_run(["sh", "-c", "exit 0"], detach=True)

# stats of the object itself
box.reload()
same(box.status, "running")
same(box.top()["Titles"][-1], "CMD")
box.pause()
box.unpause()
box.rename("renamed")
same(client.containers.get("renamed").id, box.id)
same([found.name for found in client.containers.list(filters={"name": "renamed"})], ["renamed"])
same(box.stop(timeout=0), None)
same(box.wait()["StatusCode"], 137)
box.remove()
try:
    client.containers.get("renamed")
    raise AssertionError("no NotFound")
except docker.errors.NotFound:
    pass

# logs: stream, follow, tail, timestamps
talk = client.containers.run(image, ["sh", "-c", "for i in 1 2 3; do echo $i; done; echo e >&2"], detach=True)
talk.wait()
same(talk.logs(stderr=False), b"1\n2\n3\n")
same(talk.logs(stdout=False), b"e\n")
same(talk.logs(tail=2).count(b"\n"), 2)
same(b"".join(talk.logs(stream=True, follow=True, stderr=False)), b"1\n2\n3\n")
assert talk.logs(timestamps=True).startswith(b"20")
talk.remove()

# events while something happens
seen = []
events = client.events(decode=True, filters={"type": "container", "event": ["create", "die", "destroy"]})


def follow():
    for event in events:
        seen.append(event["Action"])
        if event["Action"] == "destroy":
            return


reader = threading.Thread(target=follow)
reader.start()
client.containers.run(image, "true", remove=True)
reader.join(10)
events.close()
same(seen, ["create", "die", "destroy"])

# volumes and images
volume = client.volumes.create("pyvolume", labels={"a": "b"})
same(client.containers.run(image, ["sh", "-c", "echo kept > /v/x; cat /v/x"], volumes={"pyvolume": {"bind": "/v", "mode": "rw"}}, remove=True), b"kept\n")
volume.remove()
found = client.images.get(image)
assert found.tag("pytag", "one")
archive = b"".join(client.images.get("pytag:one").save(named="pytag:one"))
client.images.remove("pytag:one")
same(client.images.load(archive)[0].tags.count("pytag:one"), 1)
client.images.remove("pytag:one")

# archives, changes, commit, export, update, stats, prune: what is left of a container's methods
work = client.containers.run(image, ["sh", "-c", "echo x > /tmp/made; sleep 600"], detach=True, mem_limit="64m", labels={"py": "1"})
bundle = io.BytesIO()
with tarfile.open(fileobj=bundle, mode="w") as tar:
    entry = tarfile.TarInfo("put")
    entry.size = 4
    tar.addfile(entry, io.BytesIO(b"data"))
assert work.put_archive("/tmp", bundle.getvalue())
bits, stat = work.get_archive("/tmp/put")
same((stat["name"], stat["size"]), ("put", 4))
with tarfile.open(fileobj=io.BytesIO(b"".join(bits))) as tar:
    same(tar.extractfile("put").read(), b"data")
assert {"Path": "/tmp/put", "Kind": 1} in work.diff()
made = work.commit("pycommit", "one", message="why", changes=["ENV PY=1"])
same((made.attrs["Config"]["Env"][-1], made.attrs["Comment"]), ("PY=1", "why"))
same(client.containers.run("pycommit:one", ["sh", "-c", "cat /tmp/put; echo $PY"], remove=True), b"data1\n")
client.images.remove("pycommit:one")
with tarfile.open(fileobj=io.BytesIO(b"".join(work.export()))) as tar:
    assert "tmp/put" in tar.getnames()
same(work.update(mem_limit="128m", memswap_limit="256m", restart_policy={"Name": "on-failure", "MaximumRetryCount": 2})["Warnings"], [])
work.reload()
same((work.attrs["HostConfig"]["Memory"], work.attrs["HostConfig"]["RestartPolicy"]["Name"]), (128 << 20, "on-failure"))
reading = work.stats(stream=False)
assert reading["memory_stats"]["limit"] == 128 << 20 and reading["cpu_stats"]["online_cpus"] > 0, reading
first = next(iter(work.stats(stream=True, decode=True)))
same(first["name"], f"/{work.name}")
work.kill("KILL")
same(work.wait(condition="not-running")["StatusCode"], 137)
same([gone for gone in client.containers.prune(filters={"label": "py=1"})["ContainersDeleted"]], [work.id])

# the host's settings, by the names that docker-py has for them
config = api.create_host_config(
    binds=["/tmp:/bound:ro"], port_bindings={"80/tcp": ("127.0.0.1", None)}, cap_add=["NET_ADMIN"], cap_drop=["MKNOD"],
    dns=["9.9.9.9"], extra_hosts={"other": "1.2.3.4"}, tmpfs={"/scratch": "size=1m"}, pids_limit=50, cpu_shares=512,
    nano_cpus=500000000, ulimits=[docker.types.Ulimit(name="nofile", soft=100, hard=200)], init=True, read_only=True,
    log_config=docker.types.LogConfig(type="json-file", config={"max-size": "1m"}), shm_size="1m", oom_score_adj=500,
    mounts=[docker.types.Mount("/named", "pymount"), docker.types.Mount("/ram", None, type="tmpfs", tmpfs_size=1 << 20)],
    security_opt=["no-new-privileges"], sysctls={"net.ipv4.ip_unprivileged_port_start": "99"}, group_add=["7"],
)
check = docker.types.Healthcheck(test=["CMD", "true"], interval=10**9, retries=2)
whole = api.create_container(
    image, ["sh", "-c", "ulimit -n; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; id -G; grep other /etc/hosts | cut -f1"],
    hostname="pyhost", user="0:0", environment=["A=b"], volumes=["/bound"], ports=[80], labels=["bare"], stop_signal="INT",
    working_dir="/tmp", entrypoint=None, healthcheck=check, host_config=config, name="whole",
)
same(whole["Warnings"], [])
api.start("whole")
api.wait("whole")
same(api.logs("whole"), b"100\n99\n0 7\n1.2.3.4\n")
shown = api.inspect_container("whole")
same((shown["Config"]["Hostname"], shown["Config"]["StopSignal"], shown["Config"]["Labels"]["bare"]), ("pyhost", "INT", ""))
same(shown["Config"]["Healthcheck"]["Interval"], 10**9)
api.remove_container("whole", v=True, force=True)
client.volumes.get("pymount").remove()

# what is listed and counted; what is refused, with the class of its status
assert "Images" in client.df() or "ImageUsage" in client.df()
same([network.name for network in client.networks.list(names=["bridge"])], ["bridge"])
network = client.networks.create("pynet", ipam=docker.types.IPAMConfig(pool_configs=[docker.types.IPAMPool(subnet="10.219.7.0/24")]))
box = client.containers.create(image, ["sleep", "60"], name="pynetbox")
network.connect(box, aliases=["other"], ipv4_address="10.219.7.9")
box.start()
box.reload()
same(box.attrs["NetworkSettings"]["Networks"]["pynet"]["IPAddress"], "10.219.7.9")
same(sorted(box.attrs["NetworkSettings"]["Networks"]), ["bridge", "pynet"])
network.disconnect(box)
box.remove(force=True)
network.remove()
same(client.networks.prune()["NetworksDeleted"], None)
assert client.volumes.prune()["SpaceReclaimed"] >= 0
assert client.images.prune(filters={"dangling": True})["SpaceReclaimed"] >= 0
assert client.images.get(image).history()[0]["Size"] > 0
assert api.inspect_image(image)["Os"] == "linux"
imported = api.import_image_from_data(bundle.getvalue(), repository="pyimport", tag="one")
assert "sha256:" in str(imported)
client.images.remove("pyimport:one")
for call, kind in [
    (lambda: client.networks.create("host"), docker.errors.APIError),
    (lambda: client.images.get("no-such-image"), docker.errors.ImageNotFound),
    (lambda: client.volumes.get("no-such-volume"), docker.errors.NotFound),
    (lambda: client.swarm.reload(), docker.errors.APIError),
    (lambda: client.services.list(), docker.errors.APIError),
    (lambda: client.containers.run(image, "true", name="a/b"), docker.errors.APIError),
]:
    try:
        call()
        raise AssertionError(f"no {kind}")
    except kind:
        pass
same(client.plugins.list(), [])
print("well")
