import Foundation
import Support
import WorkerProtocol

/// Whether the packed images will fit on the disk, said before gigabytes are written.
enum ImportSpace {
    /// - Parameters:
    ///   - images: nil where their number is not known beforehand.
    ///   - directory: that of the packed set, or one of those above it.
    /// - Throws: `packed-too-large`, `disk-full`.
    static func require(images: Int?, bytesEach: Int, in directory: String, limits: ImportLimits) throws {
        guard let images else { return }
        let (needed, overflow) = images.multipliedReportingOverflow(by: bytesEach)
        guard !overflow, needed <= limits.maximumPackedBytes else {
            throw Problem(
                .tooLarge, code: "packed-too-large", title: "The data set's pixels are too many",
                detail: "Decoded, \(images) images of \(bytesEach) bytes take more than "
                    + "\(limits.maximumPackedBytes) bytes.",
                fix: "Upload fewer images, or scale them to the model's input size: resize=HxW.")
        }
        var path = directory
        var system = statvfs()
        while statvfs(path, &system) != 0, path.contains("/"), path != "/" {
            path = (path as NSString).deletingLastPathComponent
        }
        let free = Int(clamping: UInt64(system.f_bavail) * UInt64(system.f_frsize))
        guard system.f_frsize > 0, needed > free else { return }
        throw Problem(
            .insufficientStorage, code: "disk-full", title: "There is no room left on the disk",
            detail: "\(images) images of \(bytesEach) bytes take \(needed) bytes; \(free) are free.",
            fix: "Free disk space, or scale the images to the model's input size: resize=HxW.")
    }
}
