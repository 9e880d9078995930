import ArgumentParser
import ArtifactStore
import Commands
import Foundation
import JobQueue
import JobStore
import Storage
import Support

/// Where the data directory is, as for `burnd serve`.
struct DataOption: ParsableArguments {
    @Option(help: "Configuration file (YAML or JSON).")
    var config: String?

    @Option(help: Setting.flagHelp("data"))
    var data: String?

    func directory() throws -> String { try configuration().dataDirectory }

    private func configuration() throws -> Configuration {
        try ConfigurationLoader.load(
            file: config, environment: ProcessInfo.processInfo.environment,
            flags: data.map { [("data", $0)] } ?? [])
    }
}

struct FsckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fsck", abstract: "Compares the database with the files. The service must be stopped.",
        discussion:
            """
            The exit code is 0 when nothing is wrong, 1 when all was repaired, 4 when faults are left, and 8 when \
            nothing could be looked at.
            """)

    @OptionGroup var location: DataOption

    @Flag(help: "Put right what can be: see docs/operations.md for what that does.")
    var repair = false

    @Flag(help: "Compare sizes only, not contents.")
    var quick = false

    @Flag(help: "Print the findings as JSON.")
    var json = false

    func run() async throws {
        try await reportingProblems(exitCode: 8) {
            let directory = try location.directory()
            let database = directory + "/" + BackupManifest.database
            guard FileManager.default.fileExists(atPath: database) else {
                throw Problem(
                    .notFound, code: "data-directory", title: "There is no data directory",
                    detail: "\(database) is not there.", fix: "Name it with --data.")
            }
            let artifacts = try ArtifactStore(directory: directory, freeSpaceFloor: 0)
            let store = try JobStore.open(in: artifacts)
            let check = StorageCheck(store: store, artifacts: artifacts, readsContent: !quick)
            let findings = try await check.run(repair: repair)
            try store.close()
            try show(findings)
            if findings.contains(where: { !$0.repaired }) { throw ExitCode(4) }
            if !findings.isEmpty { throw ExitCode(1) }
        }
    }

    private func show(_ findings: [StorageCheck.Finding]) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
            return print(String(decoding: try encoder.encode(findings), as: UTF8.self))
        }
        for finding in findings {
            let mark = finding.repaired ? "repaired" : "FAULT"
            print(
                "\(mark)  \(finding.kind.rawValue)  \(finding.subject.inOneLine)  \(finding.detail.inOneLine)"
            )
        }
        print(findings.isEmpty ? "Nothing is wrong." : "\(findings.count) faults.")
    }
}

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copies the data folder, also while the service runs.")

    @Argument(help: "A folder that is not there yet. On the same file system, files are linked, not copied.")
    var destination: String

    @OptionGroup var location: DataOption

    func run() async throws {
        try await reportingProblems {
            let manifest = try Backup(data: try location.directory(), destination: destination).run()
            print(manifest.report("Backed up"))
        }
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Makes a data folder of a backup, every file checked.")

    @Argument(help: "The backup's folder.")
    var source: String

    @OptionGroup var location: DataOption

    func run() async throws {
        try await reportingProblems {
            let manifest = try Restore(source: source, data: try location.directory()).run()
            print(manifest.report("Restored"))
        }
    }
}

extension BackupManifest {
    fileprivate func report(_ done: String) -> String {
        "\(done) \(files.count) files, \(files.reduce(0) { $0 + $1.bytes }) bytes (of \(created))."
    }
}
