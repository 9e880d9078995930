import Foundation
import JobStore
import Storage
import Support

/// The data folder: who may use it, what room there is, and whose database it holds.
struct DataChecks {
    let configuration: Configuration

    func all() -> [Diagnosis] {
        let folder = URL(filePath: configuration.dataDirectory).standardizedFileURL
        var place = folder
        while !FileManager.default.fileExists(atPath: place.path), place.path != "/" {
            place.deleteLastPathComponent()
        }
        let isThere = place == folder
        guard access(place.path, R_OK | W_OK | X_OK) == 0 else {
            let owner =
                (try? FileManager.default.attributesOfItem(atPath: place.path))?[.ownerAccountName] as? String
            return [
                .fault(
                    "data", "\(place.path): \(String(cString: strerror(errno)))",
                    owner.map { "Run this as the folder's user: sudo -u \($0) burnd doctor" }
                        ?? "Give the folder to the service's user, or name another with data.")
            ]
        }
        return [
            .ok("data", isThere ? folder.path : "\(folder.path), made at the first start"),
            room(in: place.path),
        ] + (isThere ? [database(in: folder.path)] : [])
    }

    private func room(in folder: String) -> Diagnosis {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else {
            return .fault("disk", "\(folder): \(String(cString: strerror(errno)))", "Check the file system.")
        }
        let free = Int(
            clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
                .partialValue)
        let floor = configuration.limits.freeBytes
        let finding =
            "\(ByteSize.short(free)) free, of which \(ByteSize.short(floor)) stay free (limits.free_bytes)"
        guard free > floor else {
            return .fault(
                "disk", finding, "Make room or lower limits.free_bytes: uploads are refused and jobs pause.")
        }
        guard free - floor > 4 << 30 else {
            return .note(
                "disk", finding,
                "A data set takes its upload and its packed pixels; make more room for large ones.")
        }
        return .ok("disk", finding)
    }

    private func database(in folder: String) -> Diagnosis {
        let path = folder + "/" + BackupManifest.database
        guard FileManager.default.fileExists(atPath: path) else {
            return .ok("database", "none yet: made at the first start")
        }
        do {
            let missing = try DatabaseSnapshot.missingMigrations(of: path)
            guard missing.isEmpty else {
                return .note(
                    "database", "of an earlier version; \(missing.count) migrations are to come",
                    "The next start backs the folder up to \(folder)/\(JobStore.backups), then applies them.")
            }
            return .ok("database", "of this version")
        } catch {
            let problem = error as? Problem
            return .fault(
                "database", problem.map { "\($0.title): \($0.detail)" } ?? "\(error)",
                problem?.fix ?? "Run burnd fsck, or restore a backup.")
        }
    }
}
