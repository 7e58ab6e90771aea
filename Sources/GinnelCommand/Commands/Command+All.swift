// The commands that there are.

extension Command {
    static let all: [Command] = [demo, list, ping, call, describe, metrics, top, serveEcho, bench, doctor, help, version, demoService, demoFloor]
}
