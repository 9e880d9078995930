#include "embedded_files.h"

#pragma clang diagnostic ignored "-Wc23-extensions" // #embed

static const struct burn_embedded_file files[] = {
#define FILE "../ModelFormats/BuiltIn/graphs/convnext_tiny.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/densenet161.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/efficientnet_b0.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/mobilenet_v2.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/preactresnet18.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/resnet18.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/resnet18_cifar.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/resnet18_small_stem.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/vgg16_bn.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/vgg19_bn.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/vit_b_16.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/wrn-16-1.json.gz"
#include "one_file.h"
#define FILE "../ModelFormats/BuiltIn/graphs/wrn-28-10.json.gz"
#include "one_file.h"
};

struct burn_embedded_files burn_embedded_graphs(void) {
    return (struct burn_embedded_files){files, sizeof files / sizeof *files};
}
