// The commands that there are.

extension Command {
    static let all: [Command] = [demo, ping, call, serveEcho, bench, doctor, help, version, demoService, demoFloor]
}
