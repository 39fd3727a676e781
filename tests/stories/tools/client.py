"""One verb of the official Python client: prints what it saw, fails when it saw something else."""

import sys

import kubernetes
from kubernetes import client, config, watch
from kubernetes.stream import portforward, stream

verb, namespace, pod = sys.argv[1:]
sys.tracebacklimit = 0
config.load_kube_config()
core = client.CoreV1Api()


def see(holds, what):
    if not holds:
        sys.exit(f"it saw {what!r}")


if verb == "version":
    print(kubernetes.__version__, "with a server", client.VersionApi().get_code().git_version)
elif verb == "list":
    names = [one.metadata.name for one in core.list_namespaced_pod(namespace).items]
    see(pod in names, names)
    print(len(names), "pods")
elif verb == "watch":
    seen = []
    for event in watch.Watch().stream(core.list_namespaced_pod, namespace, timeout_seconds=10):
        seen.append(event["object"].metadata.name)
        if pod in seen:
            break
    see(pod in seen, seen)
    print(len(seen), "events")
elif verb == "log":
    text = core.read_namespaced_pod_log(pod, namespace, tail_lines=2)
    see(text, text)
elif verb == "exec":
    command = ["sh", "-c", "read line; echo got:$line; echo err >&2; exit 7"]
    run = stream(
        core.connect_get_namespaced_pod_exec, pod, namespace, command=command,
        stdin=True, stdout=True, stderr=True, tty=False, _preload_content=False,
    )
    run.write_stdin("hello\n")
    run.run_forever(timeout=20)
    out, err = run.read_stdout(), run.read_stderr()
    see(out == "got:hello\n" and err == "err\n" and run.returncode == 7, (out, err, run.returncode))
    print("stdin, both outputs, exit code", run.returncode)
elif verb == "attach":
    seen = stream(
        core.connect_get_namespaced_pod_attach, pod, namespace,
        stdin=False, stdout=True, stderr=True, tty=False, _preload_content=False,
    )
    seen.update(timeout=20)
    text = seen.read_stdout(timeout=20)
    seen.close()
    see(text, text)
elif verb == "port_forward":
    forward = portforward(core.connect_get_namespaced_pod_portforward, pod, namespace, ports="8080")
    port = forward.socket(8080)
    port.setblocking(True)
    port.settimeout(20)
    port.sendall(b"GET /healthz HTTP/1.1\r\nHost: pod\r\nConnection: close\r\n\r\n")
    answer = b""
    while not answer.endswith(b"ok\n"):
        more = port.recv(4096)
        if not more:
            break
        answer += more
    port.close()
    see(b"200 OK" in answer and answer.endswith(b"ok\n"), (answer, forward.error(8080)))
    print("one connection")
else:
    sys.exit(f"there is no verb {verb}")
