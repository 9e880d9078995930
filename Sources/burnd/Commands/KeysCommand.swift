import API
import ArgumentParser
import Commands
import Foundation
import JobStore
import Support

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Makes, lists and revokes API keys.",
        discussion: """
            Works on the data folder of a service whether it runs or not. As soon as there is a key, every \
            request needs one.
            """,
        subcommands: [CreateKeyCommand.self, ListKeysCommand.self, RevokeKeyCommand.self])
}

/// Which data folder.
struct DataFolderOptions: ParsableArguments {
    @Option(help: "Configuration file of the service (YAML or JSON).")
    var config: String?

    @Option(help: Setting.flagHelp("data"))
    var data: String?

    func send(_ request: ControlRequest) async throws -> ControlReply {
        let configuration = try ConfigurationLoader.load(
            file: config, environment: ProcessInfo.processInfo.environment,
            flags: data.map { [("data", $0)] } ?? [])
        let reply = try await KeyClient.send(request, data: configuration.dataDirectory)
        if case .refused(let problem) = reply { throw problem }
        return reply
    }
}

struct CreateKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes a key and prints its token, once.",
        discussion: """
            Scopes: read (look and download), submit (also upload, start, cancel and delete), admin (also read \
            the audit log). The token goes to standard output, what it is to standard error.
            """)

    @Argument(help: "A name for people: who or what uses the key.")
    var name: String

    @Option(help: "read, submit or admin.")
    var scope: KeyScope

    @Option(help: "When it ends: such as 30d, 12h, or never.")
    var expires = "365d"

    @Option(help: "Bytes of uploads it may keep, such as 50 GiB. Default: quotas.stored_bytes.")
    var storedBytes: String?

    @Option(help: "Jobs it may have waiting. Default: quotas.queued_jobs.")
    var queuedJobs: Int?

    @Option(help: "Bytes it may upload in an hour. Default: quotas.upload_bytes_per_hour.")
    var uploadBytesPerHour: String?

    @Option(help: "Slots that one of its jobs may use. Default: quotas.job_slots.")
    var jobSlots: Int?

    @OptionGroup var folder: DataFolderOptions

    func validate() throws {
        if expires != "never", Self.seconds(expires) == nil {
            throw ValidationError("--expires takes a number of days or hours such as 30d or 12h, or never")
        }
        for size in [storedBytes, uploadBytesPerHour] {
            if let size, ByteSize.parse(size) == nil { throw ValidationError("no size: \(size)") }
        }
        if let queuedJobs, queuedJobs < 0 { throw ValidationError("--queued-jobs is at least 0") }
        if let jobSlots, !OptionRules.slots.contains(jobSlots) {
            throw ValidationError(
                "--job-slots is from \(OptionRules.slots.lowerBound) to \(OptionRules.slots.upperBound).")
        }
    }

    /// Nil for text that is no duration.
    static func seconds(_ text: String) -> Double? {
        guard let unit = text.last, let count = Int(text.dropLast()), (1...100_000).contains(count) else {
            return nil
        }
        switch unit {
        case "d": return Double(count) * 86_400
        case "h": return Double(count) * 3600
        default: return nil
        }
    }

    func run() async throws {
        try await reportingProblems {
            let order = KeyAdministration.Order(
                name: name, scope: scope,
                quota: KeyQuota(
                    storedBytes: storedBytes.flatMap(ByteSize.parse), queuedJobs: queuedJobs,
                    uploadBytesPerHour: uploadBytesPerHour.flatMap(ByteSize.parse), jobSlots: jobSlots),
                expiresAt: Self.seconds(expires).map { Date() + $0 })
            guard case .created(let key, let token) = try await folder.send(.createKey(order)) else { return }
            let note = """
                Key \(key.id) "\(key.name)", scope \(key.scope.rawValue), \(KeyTable.expiry(key)). \
                The token is shown this once and stored nowhere:

                """
            FileHandle.standardError.offer(Data(note.utf8))
            print(token)
        }
    }
}

extension KeyScope: ExpressibleByArgument {}

struct ListKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the keys.")

    @OptionGroup var folder: DataFolderOptions

    func run() async throws {
        try await reportingProblems {
            guard case .keys(let keys) = try await folder.send(.listKeys) else { return }
            for key in keys { print(KeyTable.row(key)) }
        }
    }
}

struct RevokeKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "Revokes a key: the next request with it is refused.")

    @Argument(help: "The key's id, key_…") var id: String

    @OptionGroup var folder: DataFolderOptions

    func run() async throws {
        try await reportingProblems {
            guard case .revoked(let key) = try await folder.send(.revokeKey(id)) else { return }
            print(KeyTable.row(key))
        }
    }
}

/// Keys as lines of text, fields parted by tabs.
enum KeyTable {
    static func row(_ key: KeyRecord) -> String {
        [key.id, key.scope.rawValue, state(key), expiry(key), key.name].joined(separator: "\t")
    }

    static func state(_ key: KeyRecord) -> String {
        if key.revokedAt != nil { return "revoked" }
        return key.isUsable() ? "usable" : "expired"
    }

    static func expiry(_ key: KeyRecord) -> String {
        guard let date = key.expiresAt else { return "never expires" }
        return "until \(date.formatted(.iso8601))"
    }
}
