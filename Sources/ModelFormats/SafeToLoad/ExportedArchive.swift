import Containers
import Foundation

/// A `.pt2` archive as it is given back: made anew of the checked entries of another, with empty sample inputs, which
/// PyTorch takes for none.
enum ExportedArchive {
    /// Replaces the archive at `path`.
    static func rewrite(_ path: String, limits: ModelLimits) throws {
        let zip = try ZipArchive(path: path, limits: ZipLimits(maximumEntries: limits.maximumEntries))
        let archive = try PT2Archive(zip, limits: limits)
        guard let sampleInputs = archive.sampleInputs, sampleInputs.size > 0 else { return }
        let part = path + ".part"
        unlink(part)
        do {
            var writer = try ZipWriter(path: part)
            for entry in zip.entries {
                if entry.name == sampleInputs.name {
                    try writer.add(entry.name, [])
                } else {
                    try writer.add(entry.name, from: zip.file, at: entry.dataOffset, count: entry.size)
                }
            }
            try writer.finish()
            try ModelWriter.move(part, to: path)
        } catch {
            unlink(part)
            throw error
        }
    }
}
