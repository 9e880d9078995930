import API
import Commands
import Foundation
import Support

/// Whether the address is free, or a service answers there.
struct ServiceChecks {
    let configuration: Configuration

    private struct Version: Decodable {
        var name, version: String
    }

    private struct Readiness: Decodable {
        var status: String
        var checks: [String: String]?
    }

    func all() async -> [Diagnosis] {
        let address = configuration.listen
        guard address.port != 0 else { return [.ok("address", "\(address): any free port")] }
        if let error = Self.bindFails(address) {
            guard error == EADDRINUSE else {
                return [
                    .fault(
                        "address", "\(address): \(String(cString: strerror(error)))",
                        error == EACCES
                            ? "Ports below 1024 need a privilege: listen on another and put a proxy before it."
                            : "Name an address of this machine with listen.")
                ]
            }
            return await running(address)
        }
        return [
            .ok("address", "\(address) is free"),
            .note("service", "none runs at \(address)", "burnd serve, or systemctl start burnd."),
        ]
    }

    private func running(_ address: ListenAddress) async -> [Diagnosis] {
        let scheme = configuration.tls.certificate == nil ? "http" : "https"
        let base = "\(scheme)://\(ListenAddress(host: Self.reachable(address.host), port: address.port))"
        guard let health = await Self.get(base + "/healthz"), health.status == 200 else {
            guard configuration.tls.certificate == nil else {
                return [
                    .note(
                        "address", "\(address) is in use, and could not be asked at \(base)",
                        "The certificate is for another name: ask the service by that, such as curl https://NAME/healthz."
                    )
                ]
            }
            return [
                .fault(
                    "address", "\(address) is in use, and no burnd answers at \(base)",
                    "Stop what listens there (ss -ltnp), or set listen to another port.")
            ]
        }
        var findings = [Diagnosis.ok("address", "\(address) is in use by a service")]
        let answer = await Self.get(base + "/v1/version")
        if let answer, answer.status == 200,
            let found = try? JSONDecoder().decode(Version.self, from: answer.body)
        {
            findings.append(
                found.version == Release.version
                    ? .ok("service", "\(found.name) \(found.version) answers at \(base)")
                    : .note(
                        "service",
                        "\(found.name) \(found.version) answers at \(base), this is \(Release.version)",
                        "Restart the service: systemctl restart burnd."))
        } else if let answer, [401, 403].contains(answer.status) {
            findings.append(.ok("service", "answers at \(base), and wants a key"))
        } else {
            findings.append(
                .note(
                    "service",
                    "answers at \(base), but not its version (\(answer.map { "\($0.status)" } ?? "nothing"))",
                    "Ask it by a name of allowed_hosts."))
        }
        findings.append(await Self.readiness(base))
        return findings
    }

    private static func readiness(_ base: String) async -> Diagnosis {
        guard let answer = await get(base + "/readyz"),
            let found = try? JSONDecoder().decode(Readiness.self, from: answer.body)
        else {
            return .fault(
                "readiness", "no answer at \(base)/readyz",
                "Look into the service's log: journalctl -u burnd.")
        }
        let wrong = (found.checks ?? [:]).filter { $0.value != "ok" }.sorted { $0.key < $1.key }
        let text = ([found.status] + wrong.map { "\($0.key): \($0.value)" }).joined(separator: ", ")
        return answer.status == 200
            ? .ok("readiness", text)
            : .fault("readiness", text, "Look into the service's log: journalctl -u burnd.")
    }

    /// Asked by burn-client: burnd holds no HTTP client.
    private static func get(_ address: String) async -> (status: Int, body: Data)? {
        guard let output = try? await ClientProgram.output(["fetch", address]),
            let end = output.firstIndex(of: UInt8(ascii: "\n")),
            let status = Int(String(decoding: output[..<end], as: UTF8.self))
        else { return nil }
        return (status, Data(output[(end + 1)...]))
    }

    /// Every address of the machine stands for its loopback.
    private static func reachable(_ host: String) -> String {
        switch host {
        case "0.0.0.0", "*": "127.0.0.1"
        // Foundation's session reaches no literal of IPv6.
        case "::", "::1": "localhost"
        default: host
        }
    }

    /// - Returns: why nothing can listen there now; nil where something can.
    private static func bindFails(_ address: ListenAddress) -> Int32? {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, "\(address.port)", &hints, &found) == 0, let first = found else {
            return EADDRNOTAVAIL
        }
        // Ours from here on, and only read.
        defer { freeaddrinfo(first) }
        let descriptor = socket(
            first.pointee.ai_family, first.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0 else { return errno }
        return listen(descriptor, 1) == 0 ? nil : errno
    }
}
