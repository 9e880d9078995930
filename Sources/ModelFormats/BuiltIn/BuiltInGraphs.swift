/// Graphs of well-known classifiers without weights, compiled into the programs. `scripts/export_graphs.py`
/// writes them.
public enum BuiltInGraphs {
    /// Gzip-compressed JSON documents by name, sorted by name.
    public static let all: [(name: String, document: [UInt8])] = [
        ("convnext_tiny", PackageResources.convnext_tiny_json_gz),
        ("densenet161", PackageResources.densenet161_json_gz),
        ("efficientnet_b0", PackageResources.efficientnet_b0_json_gz),
        ("mobilenet_v2", PackageResources.mobilenet_v2_json_gz),
        ("preactresnet18", PackageResources.preactresnet18_json_gz),
        ("resnet18", PackageResources.resnet18_json_gz),
        ("resnet18_cifar", PackageResources.resnet18_cifar_json_gz),
        ("resnet18_small_stem", PackageResources.resnet18_small_stem_json_gz),
        ("vgg16_bn", PackageResources.vgg16_bn_json_gz),
        ("vgg19_bn", PackageResources.vgg19_bn_json_gz),
        ("vit_b_16", PackageResources.vit_b_16_json_gz),
        ("wrn-16-1", PackageResources.wrn_16_1_json_gz),
        ("wrn-28-10", PackageResources.wrn_28_10_json_gz),
    ]
}
