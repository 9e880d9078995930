import ArtifactStore
import Foundation
import JobStore
import Support

/// Compares the database with the files, and puts right what it can (`burnd fsck`).
public struct StorageCheck: Sendable {
    public enum Kind: String, Codable, Hashable, Sendable, CaseIterable {
        /// SQLite's own checks found a fault. Not repaired: restore a backup.
        case database
        /// A row refers to content that is not there, or is not what its name says.
        case contentMissing = "content-missing"
        case contentDamaged = "content-damaged"
        /// A data set's packed form is not there or not whole; it is made again from its upload.
        case packedMissing = "packed-missing"
        /// An unfinished upload without its file: the client begins again.
        case uploadLost = "upload-lost"
        /// Files that nothing refers to.
        case unreferenced
    }

    public struct Finding: Codable, Hashable, Sendable {
        public var kind: Kind
        /// An id, a digest or a table.
        public var subject: String
        public var detail: String
        public var repaired: Bool
    }

    let store: JobStore
    let artifacts: ArtifactStore
    /// Whether every file's content is read and compared with its digest.
    let readsContent: Bool

    public init(store: JobStore, artifacts: ArtifactStore, readsContent: Bool = true) {
        self.store = store
        self.artifacts = artifacts
        self.readsContent = readsContent
    }

    /// - Parameter repair: whether faults are put right.
    public func run(repair: Bool) async throws -> [Finding] {
        var findings = try await store.integrityFaults().map {
            Finding(kind: .database, subject: BackupManifest.database, detail: $0, repaired: false)
        }
        let references = try await store.references()
        findings += try await checkContent(references, repair)
        findings += try await checkPacked(references, repair)
        findings += try await checkUploads(references, repair)
        findings += try await checkUnreferenced(try await store.references(), repair)
        return findings
    }

    private func checkContent(_ references: References, _ repair: Bool) async throws -> [Finding] {
        var findings: [Finding] = []
        let committing = Set(references.uploads.values.compactMap(\.sha256))
        for (sha256, size) in references.blobs.sorted(by: { $0.key < $1.key }) {
            let fault: (kind: Kind, detail: String)
            switch try content(sha256, size) {
            case .intact: continue
            // On its way: its upload is finished at the next start.
            case .missing where committing.contains(sha256): continue
            case .missing: fault = (.contentMissing, "The file of \(size) bytes is not there.")
            case .damaged: fault = (.contentDamaged, "The file is not what its name says.")
            }
            if repair {
                try artifacts.setAside(sha256: sha256)
                try await store.rejectContent(
                    sha256: sha256,
                    Problem(
                        .internal, code: fault.kind.rawValue, title: "A stored file was lost",
                        detail: "The content \(sha256) of \(size) bytes was lost or damaged on the disk.",
                        fix: "Delete this and upload the file again, or restore a backup."))
            }
            findings.append(
                Finding(kind: fault.kind, subject: sha256, detail: fault.detail, repaired: repair))
        }
        return findings
    }

    private enum Content { case intact, missing, damaged }

    private func content(_ sha256: String, _ size: Int) throws -> Content {
        guard let path = artifacts.path(of: sha256) else { return .missing }
        guard try DurableFile.size(of: path) == size else { return .damaged }
        return try !readsContent || artifacts.isIntact(sha256: sha256) ? .intact : .damaged
    }

    private func checkPacked(_ references: References, _ repair: Bool) async throws -> [Finding] {
        var findings: [Finding] = []
        // Rejected meanwhile, for want of its content: nothing to pack again.
        let ready = try await store.references().readyDatasets
        for id in ready.sorted() {
            let files = try artifacts.datasetFiles(id)
            let bytes = try await store.dataset(id).summary?.packedBytes ?? 0
            let images = try artifacts.datasetDirectory(id) + "/images.u8"
            if files.contains("manifest.json"), files.contains("labels.i32"), files.contains("images.u8"),
                try DurableFile.size(of: images) == bytes
            {
                continue
            }
            if repair { try await store.importAgain(dataset: id) }
            findings.append(
                Finding(
                    kind: .packedMissing, subject: id, detail: "Its packed form is not there or not whole.",
                    repaired: repair))
        }
        return findings
    }

    private func checkUploads(_ references: References, _ repair: Bool) async throws -> [Finding] {
        var findings: [Finding] = []
        for upload in references.uploads.values.sorted(by: { $0.id < $1.id }) where upload.state == .receiving
        {
            let offset = try artifacts.partOffset(upload.id)
            if let offset, offset <= upload.length { continue }
            if repair {
                try artifacts.deletePart(upload.id)
                try await store.deleteUpload(upload.id)
            }
            let found = offset.map { "\($0) of \(upload.length) bytes" } ?? "no file"
            findings.append(
                Finding(kind: .uploadLost, subject: upload.id, detail: "There is \(found).", repaired: repair)
            )
        }
        return findings
    }

    private func checkUnreferenced(_ references: References, _ repair: Bool) async throws -> [Finding] {
        var findings: [Finding] = []
        func found(_ subject: String, _ detail: String, _ remove: () throws -> Void) throws {
            if repair { try remove() }
            findings.append(
                Finding(kind: .unreferenced, subject: subject, detail: detail, repaired: repair))
        }
        for blob in try artifacts.storedBlobs() where references.blobs[blob.sha256] == nil {
            try found(blob.sha256, "A file of \(blob.size) bytes.") {
                try artifacts.delete(sha256: blob.sha256)
            }
        }
        for id in try artifacts.partIDs() where references.uploads[id] == nil {
            try found(id, "The file of an upload.") { try artifacts.deletePart(id) }
        }
        for id in try artifacts.datasetIDs() where !references.datasets.contains(id) {
            try found(id, "A packed data set.") { try artifacts.deleteDatasetDirectory(id) }
        }
        for id in try artifacts.workIDs() where !references.workers.contains(id) {
            try found(id, "A work directory.") { try artifacts.deleteWorkDirectory(id) }
        }
        return findings
    }
}
