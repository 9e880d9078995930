// The row of FILE in a table of `struct burn_embedded_file`. The compiler notes the file as one that the object depends on.
{FILE, (const unsigned char[]){
#embed FILE
}, sizeof (const unsigned char[]){
#embed FILE
}},
#undef FILE
