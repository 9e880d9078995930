import ArtifactStore
import Foundation
import JobStore
import Logging
import Metrics
import Support

extension JobStore {
    /// Where backups are kept that were made by themselves.
    public static let backups = "backups"

    /// Opens the database of a data directory. One of an earlier version is backed up, then brought to this version's
    /// form. Blocks on the disk.
    /// - Throws: `Problem` `database-newer`, `migration-changed`, `upgrade-backup`; what `init(path:)` and `Backup` throw.
    public static func open(
        in artifacts: ArtifactStore, metrics: any MetricsFactory = NOOPMetricsHandler.instance,
        logger: Logger = Logger(label: "burn.storage")
    ) throws -> JobStore {
        let path = artifacts.directory + "/" + BackupManifest.database
        let missing = try DatabaseSnapshot.missingMigrations(of: path)
        guard !missing.isEmpty else { return try JobStore(path: path, metrics: metrics) }
        let backup = try backUp(artifacts.directory)
        logger.notice(
            "the data directory is brought to this version's form",
            metadata: ["migrations": "\(missing.count)", "backup": "\(backup)"])
        return try JobStore(path: path, metrics: metrics)
    }

    /// - Returns: the backup's folder.
    private static func backUp(_ data: String) throws -> String {
        let time = Date().formatted(
            Date.ISO8601FormatStyle(dateSeparator: .omitted, timeSeparator: .omitted))
        let folder = "\(data)/\(backups)/before-\(EmbeddedRelease.version)-\(time)"
        do {
            _ = try Backup(data: data, destination: folder, isWhole: true).run()
        } catch {
            // A half backup is none, and each start would leave another. What can't be removed is named with the cause.
            try? FileManager.default.removeItem(atPath: folder)
            throw Problem(
                .internal, code: "upgrade-backup",
                title: "The data directory could not be backed up before its upgrade",
                detail: "\(folder): \(error)",
                fix: "Make room or mend what is named, and start again. Nothing was changed.")
        }
        return folder
    }
}
