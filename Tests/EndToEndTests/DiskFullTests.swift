import Foundation
import Testing

/// A disk without a byte left: clean refusals, paused jobs, and all goes on once there is room.
@Suite(.enabled(if: SmallDisk.flags != nil, "needs a mount namespace for a small tmpfs"))
struct DiskFullTests {
    private static let imports =
        "[probe]\nmodel-summary 32\nfinished\n[import]\ndataset-summary 32\nfinished\n"

    private func service(_ job: String) throws -> (service: ServiceProcess, disk: SmallDisk) {
        let disk = try SmallDisk(bytes: 32 << 20)
        let settings = ["BURND_LIMITS_FREE_BYTES": "2 MiB", "BURND_LIMITS_DISK_CHECK_SECONDS": "1"]
        return (
            try ServiceProcess(script: Self.imports + "[job]\n" + job, settings: settings, disk: disk), disk
        )
    }

    /// Asks until it is so; the service's own time limits bound it.
    private func wait(_ condition: () throws -> Bool) throws {
        for _ in 0..<600 {
            if try condition() { return }
            usleep(100_000)
        }
        Issue.record("waited in vain")
    }

    private func state(_ job: String, _ service: ServiceProcess) throws -> String? {
        try service.get("/v1/jobs/\(job)").json["state"] as? String
    }

    /// Where the worker writes when the disk has become full: its checkpoint, or its result.
    @Test(arguments: [
        "phase boundary_analysis\nuntil-file go\nphase detection\nverdict\nartifact out.pt2 PURIFIED\nfinished",
        "phase boundary_analysis\nphase detection\nverdict\nuntil-file go\nartifact out.pt2 PURIFIED\nfinished",
    ])
    func aJobWaitsForRoomAndGoesOn(script: String) throws {
        let (service, disk) = try service(script)
        let job = try service.startJob()
        try wait { (try service.get("/v1/jobs/\(job)/metrics").json["phases"] as? [Any])?.isEmpty == false }
        try disk.fill()
        _ = FileManager.default.createFile(atPath: disk.path("data/jobs/\(job)/work/go"), contents: nil)
        // The database may have no room to say so yet; but the job has not failed.
        try wait { try service.get("/readyz").status == 503 }
        usleep(1_500_000)
        #expect(["running", "queued"].contains(try state(job, service)))
        #expect(try service.get("/metrics").text.contains("\nburn_disk_free_bytes 0\n"))
        try disk.free()
        try wait { try state(job, service) == "succeeded" }
        #expect(try service.get("/v1/jobs/\(job)/model").text == "PURIFIED")
        #expect(try service.get("/readyz").status == 200)
        #expect(service.stop(SIGTERM) == 0)
        #expect(try service.faults() == [])
    }

    @Test func requestsAreRefusedCleanlyAndLaterTaken() throws {
        let (service, disk) = try service("verdict\nfinished")
        _ = try service.startJob("scan")
        // An upload that has begun has its room.
        let client = try service.client()
        let size = 4 << 20
        client.send("POST /v1/datasets HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(size)\r\n\r\n")
        client.send([UInt8](ServiceProcess.archive.prefix(3)))
        usleep(300_000)
        try disk.fill()
        client.send([UInt8](repeating: 7, count: size - 3))
        let begun = try client.reply()
        #expect([201, 507].contains(begun.status), "\(begun.text)")
        let tus = ["Tus-Resumable: 1.0.0", "Upload-Length: 1000"]
        for _ in 0..<20 {
            #expect(try service.post("/v1/datasets", body: ServiceProcess.archive).status == 507)
            #expect(try service.send("POST", "/v1/uploads?kind=dataset", tus).status == 507)
            #expect(try service.get("/v1/jobs").status == 200)
        }
        try disk.free()
        try wait { try service.get("/readyz").status == 200 }
        #expect(
            try service.post("/v1/datasets", "Prefer: wait=20", body: ServiceProcess.archive).status == 201)
        #expect(try service.send("POST", "/v1/uploads?kind=dataset", tus).status == 201)
        #expect(service.stop(SIGTERM) == 0)
        #expect(try service.faults() == [])
    }
}
