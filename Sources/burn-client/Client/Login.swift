import Commands
import Foundation
import ServiceClient
import Support

extension LoginCommand: ClientWork {
    func perform() async throws {
        try await answering(json: false) {
            let address = try ServiceAddress(url, allowsPlainHTTP: allowPlainHttp || withoutKey)
            let key = withoutKey ? nil : try KeyPrompt.read(environment: ProcessInfo.processInfo.environment)
            let client = ServiceClient(address: address, key: key)
            try await client.reach()
            struct Version: Decodable {
                var name, version: String
            }
            let version: Version = try client.decode(try await client.get("/v1/version"))
            try Credentials(
                url: address.text, key: key, allowsPlainHTTP: allowPlainHttp ? true : nil
            ).save(ProcessInfo.processInfo.environment)
            print("Logged in to \(address.text) (\(version.name) \(version.version)).")
        }
    }
}

extension LogoutCommand: ClientWork {
    func perform() async throws {
        try await answering(json: false) {
            let known = try Credentials.remove(ProcessInfo.processInfo.environment)
            print(known ? "Logged out. The key itself is still valid." : "There was no login.")
        }
    }
}

/// Where a key comes from.
enum KeyPrompt {
    /// - Throws: `Problem` `key-missing`, `key-malformed`.
    static func read(environment: [String: String]) throws -> String {
        let text: String?
        if let key = environment["BURN_KEY"], !key.isEmpty {
            text = key
        } else if isatty(STDIN_FILENO) == 1 {
            FileHandle.standardError.offer(Data("Key: ".utf8))
            text = withoutEcho { readLine(strippingNewline: true) }
            FileHandle.standardError.offer(Data("\n".utf8))
        } else {
            text = readLine(strippingNewline: true)
        }
        let key = (text ?? "").trimmingCharacters(in: .whitespaces)
        guard !key.isEmpty else {
            throw Problem(
                .unauthenticated, code: "key-missing", title: "No key was given",
                detail: "Neither BURN_KEY nor standard input holds one.",
                fix: "Type it when asked, pipe it in, set BURN_KEY, or use --without-key.")
        }
        guard key.utf8.count <= 512, key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Problem(
                .malformed, code: "key-malformed", title: "This is no key",
                detail: "A key is one word of printable ASCII characters.",
                fix: "Copy it again as `burnd keys create` printed it.")
        }
        return key
    }

    private static func withoutEcho<Value>(_ body: () -> Value) -> Value {
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else { return body() }
        let before = settings
        settings.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings)
        defer {
            var before = before
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
        }
        return body()
    }
}
