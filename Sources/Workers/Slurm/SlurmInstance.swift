import Foundation
import Support

/// The name that a service's tasks bear on the cluster, kept in its data folder: what has it is the service's to end.
public enum SlurmInstance {
    /// - Parameter folder: the data folder. A copy of it is another service: the file says of which folder it is.
    public static func name(in folder: String) throws -> String {
        let file = folder + "/slurm-instance"
        var status = stat()
        guard stat(folder, &status) == 0 else { throw FileProblem.of("stat", folder) }
        let place = "\(status.st_ino)"
        if let text = FileManager.default.contents(atPath: file) {
            let words = String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            if words.count == 2, words[1] == place, words[0].count == 12, words[0].allSatisfy(\.isHexDigit) {
                return String(words[0])
            }
        }
        let name = (0..<6).map { _ in String(format: "%02x", UInt8.random(in: 0...255)) }.joined()
        try DurableFile.write(Data("\(name) \(place)\n".utf8), to: file, permissions: 0o600)
        return name
    }
}
