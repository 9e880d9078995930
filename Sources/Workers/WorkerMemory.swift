import Foundation

/// What a process fills of the machine's memory.
enum WorkerMemory {
    /// Bytes of its own: anonymous and shared pages. Mapped files are left out, since the kernel can drop
    /// them. Nil when the process is gone.
    static func ownBytes(of process: pid_t) -> Int? {
        guard let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8) else {
            return nil
        }
        return ownBytes(status: status)
    }

    /// - Parameter status: the text of /proc/PID/status.
    static func ownBytes(status: String) -> Int? {
        var kibibytes: Int?
        for line in status.split(separator: "\n")
        where line.hasPrefix("RssAnon:") || line.hasPrefix("RssShmem:") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2, let value = Int(words[1]) else { continue }
            kibibytes = (kibibytes ?? 0) + value
        }
        return kibibytes.map { $0 << 10 }
    }
}
